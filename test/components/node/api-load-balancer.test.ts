import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { haproxyConfiguration } from "../../../components/node/api-load-balancer";
import { temporaryDirectory, testWith } from "../../support/bash";

const BACKENDS = [
    { name: "cp-1", address: "10.240.0.11" },
    { name: "cp-2", address: "10.240.0.12" },
];

test("a worker asks the API servers that are ready, by their certificates' name", () => {
    expect(haproxyConfiguration("api.blue", BACKENDS)).toMatchSnapshot();
});

testWith("haproxy")("haproxy takes its configuration", () => {
    const directory = temporaryDirectory();
    try {
        const file = join(directory.path, "haproxy.cfg");
        // No certificate is needed to read the file.
        const text = haproxyConfiguration("api.blue", BACKENDS).replace(/verify required ca-file \S+/, "verify none");
        writeFileSync(file, text);
        const { status, stderr } = spawnSync("haproxy", ["-c", "-q", "-f", file], { encoding: "utf8" });
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    } finally {
        directory.remove();
    }
});
