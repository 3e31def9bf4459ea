import { userInfo } from "node:os";
import { requireSubordinateIds, subordinateIds } from "../../../scripts/machines/user-namespace";

describe("subordinate ids", () => {
    it("are those of the largest range that a user has, by name or by number", () => {
        expect(subordinateIds("ada:100000:65536\n1001:300000:10\n", ["ada", "1001"])).toBe(65536);
        expect(subordinateIds("1001:300000:65536\n", ["ada", "1001"])).toBe(65536);
        expect(subordinateIds("adam:100000:65536\n", ["ada", "1001"])).toBe(0);
        expect(subordinateIds("", ["ada"])).toBe(0);
    });

    it("are asked for with the command that gives them", () => {
        const { username } = userInfo();
        const all = `${username}:100000:65536\n`;
        expect(() => {
            requireSubordinateIds(() => all);
        }).not.toThrow();
        expect(() => {
            requireSubordinateIds((path) => (path === "/etc/subuid" ? all : ""));
        }).toThrow(`/etc/subgid has no 65536 ids for ${username}`);
        expect(() => {
            requireSubordinateIds(() => {
                throw new Error("ENOENT");
            });
        }).toThrow(`usermod --add-subuids 200000-265535 ${username}`);
    });
});
