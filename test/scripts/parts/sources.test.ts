import { partSources } from "../../../scripts/parts/download/sources";
import { filesForRole } from "../../../components/steps/parts/files";
import { pinnedVersions } from "../../../scripts/parts/versions";
import { pathsOf, sha256, useUpstream } from "./upstream";

const upstream = useUpstream();
const paths = pathsOf();
const quick = { timeouts: { answer: 300, idle: 300 }, attempts: 2, pause: 10, parallel: 3 };
const sources = (architecture = "amd64") =>
    partSources(pinnedVersions(), architecture, { ...quick, mirror: upstream.url });

test("every file of every role has a source, with the checksum that upstream publishes; nothing else is downloaded here", async () => {
    const found = await sources();
    for (const path of [...filesForRole("control-plane"), ...filesForRole("node")]) {
        expect(found[path]?.sha256).toBe(sha256(upstream.files.get(new URL(found[path]?.url ?? "").pathname) ?? ""));
        expect(found[path]?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(upstream.asked.filter((line) => !/sha256|SHA256/.test(line))).toEqual([]);
});

test("a program is named by its own sha256, a member of an archive by the archive's and its place there", async () => {
    const found = await sources();
    const kubelet = found["bin/kubelet"];
    expect(kubelet).toEqual({
        url: `${upstream.url}${paths.kubernetes("kubelet")}`,
        sha256: kubelet?.sha256,
        fingerprint: kubelet?.sha256,
    });
    const [etcd, etcdctl] = [found["bin/etcd"], found["bin/etcdctl"]];
    expect(etcd?.sha256).toBe(etcdctl?.sha256);
    expect(etcd?.fingerprint).not.toBe(etcdctl?.fingerprint);
    expect(etcd?.member).toMatch(/^etcd-v[\d.]+-linux-amd64\/etcd$/);
});

test("a release that upstream doesn't have for the architecture is named", async () => {
    await expect(sources("s390x")).rejects.toThrow(/there is no release of \w+ [\d.]+ for linux\/s390x/);
});
