import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { renderKubeconfig } from "../../../../components/pki/kubeconfig";
import { type Kubeconfig, merged, mergeInto, ownKubeconfig } from "../../../../scripts/cli/kubeconfig/merge";
import { temporaryDirectory } from "../../../support/bash";

const text = (cluster: string, server = "https://10.240.0.10:6443"): string =>
    renderKubeconfig({
        cluster,
        server,
        user: "kubelab:admin",
        certificateAuthority: "authority",
        credentials: { certificate: "certificate", key: "key" },
    });
const config = (...args: Parameters<typeof text>): Kubeconfig => parse(text(...args)) as Kubeconfig;
const names = ({ clusters, users, contexts }: Kubeconfig) =>
    [clusters, users, contexts].map((list) => list?.map(({ name }) => name));

test("two labs, whose users have one name, are both there, and what was used before stays so", () => {
    const both = merged(merged({}, config("blue"), "/blue"), config("green"), "/green");
    expect(names(both)).toEqual([
        ["blue", "green"],
        ["blue", "green"],
        ["blue", "green"],
    ]);
    expect(both["current-context"]).toBe("blue");
    expect(both.contexts?.[1]).toMatchObject({ context: { cluster: "green", user: "green" } });
});

test("a lab that was made anew takes the place of the one before", () => {
    const again = merged(merged({}, config("blue"), "/blue"), config("blue", "https://192.0.2.1:6443"), "/blue");
    expect(again.clusters).toMatchObject([{ cluster: { server: "https://192.0.2.1:6443" } }]);
    expect(again.contexts).toHaveLength(1);
});

test("a context of that name which is somebody else's stays", () => {
    expect(() => merged(config("blue"), config("blue"), "/blue")).toThrow('a context "blue" of somebody else');
    expect(() => merged(merged({}, config("blue"), "/other"), config("blue"), "/blue")).toThrow("of /other already");
});

describe("in a file", () => {
    const directory = temporaryDirectory();
    afterAll(directory.remove);

    test("it is made for its owner alone, also where a link leads to it", () => {
        const [target, link] = [join(directory.path, "real"), join(directory.path, "config")];
        writeFileSync(target, "preferences: {colors: true}\n", { mode: 0o644 });
        symlinkSync(target, link);
        expect(mergeInto(link, text("blue"), "/blue")).toBe("blue");
        expect(statSync(target).mode & 0o777).toBe(0o600);
        expect(parse(readFileSync(target, "utf8"))).toMatchObject({ preferences: { colors: true }, kind: "Config" });
    });

    test("what is no kubeconfig stays as it is", () => {
        const file = join(directory.path, "list");
        writeFileSync(file, "- a\n");
        expect(() => mergeInto(file, text("blue"), "/blue")).toThrow("is no kubeconfig");
        expect(readFileSync(file, "utf8")).toBe("- a\n");
    });
});

test("the file is the one that kubectl reads first", () => {
    expect(ownKubeconfig({ KUBECONFIG: ":/a/config:/b" })).toBe("/a/config");
    expect(ownKubeconfig({})).toMatch(/\/\.kube\/config$/);
});
