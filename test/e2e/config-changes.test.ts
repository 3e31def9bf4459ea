import { Lab, NO_CHANGES, story } from "../support/lab";

const NETWORK = "10.247.0.0/24";

story("changes of a running lab's config", () => {
    let lab: Lab;
    beforeAll(() => {
        lab = new Lab("config", { workers: 0, local: { network: NETWORK } });
    });
    afterAll(() => {
        lab.remove();
    });

    test("what a lab was given at first is merged: its own admission plugins stay on", () => {
        lab.up({ flags: { "kube-apiserver": { "enable-admission-plugins": "PodNodeSelector" } } });
        const unit = lab.ssh("cp-1", "cat /etc/systemd/system/kube-apiserver.service");
        const plugins = "NodeRestriction,DenyServiceExternalIPs,EventRateLimit,PodNodeSelector";
        expect(unit).toContain(`--enable-admission-plugins=${plugins}`);
    });

    test.each([
        ["local", { network: "10.246.0.0/24" }, "local.network"],
        ["clusterDomain", "other.local", "clusterDomain"],
    ])("a change of %s is refused before anything is touched", (key, value, named) => {
        const started = (): string => lab.ssh("cp-1", "stat -c %Y /proc/1");
        const before = started();
        const { code, stdout, stderr } = lab.run("up", ["--config", `kubelab:${key}=${text(value)}`]);
        expect(code).not.toBe(0);
        expect(`${stdout}${stderr}`).toContain(`kubelab:${named}:`);
        expect(started()).toBe(before);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    });
});

function text(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}
