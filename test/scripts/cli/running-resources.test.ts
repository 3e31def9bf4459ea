import { RunningResources } from "../../../scripts/cli/running-resources";
import type { EngineEvent } from "../../../scripts/engine/event";

const event = (name: string, changes: Partial<EngineEvent> = {}): EngineEvent => ({
    kind: "start",
    operation: "create",
    urn: `urn:pulumi:lab::kubelab::command:remote:Command::${name}`,
    name,
    type: "command:remote:Command",
    seconds: 0,
    ...changes,
});

test("what runs is told with its seconds, the longest first, and what is done is counted", () => {
    let now = 0;
    const running = new RunningResources(() => now * 1000);
    expect(running.text()).toBe("0 done");
    for (const name of ["etcd", "containerd", "parts", "keys"]) {
        running.record(event(name));
        now += 10;
    }
    running.record(event("lab", { type: "kubelab:index:Cluster" }));
    running.record(event("unchanged", { operation: "same" }));
    expect(running.text()).toBe("0 done; etcd 40 s, containerd 30 s, parts 20 s and 1 more");
    running.record(event("etcd", { kind: "done" }));
    running.record(event("parts", { kind: "failed" }));
    expect(running.text()).toBe("2 done; containerd 30 s, keys 10 s");
});
