import { findResource, parseResource, resourceName } from "../../../scripts/explain/resource";
import { parseSnapshot } from "../../../scripts/inspect/snapshot";

const object = (kind: string, name: string, namespace?: string): object => ({
    kind,
    metadata: {
        name,
        uid: name,
        creationTimestamp: "2026-11-29T03:00:00Z",
        ...(namespace === undefined ? {} : { namespace }),
    },
    spec: { containers: [] },
    status: {},
});
const SNAPSHOT = parseSnapshot(
    JSON.stringify({
        items: [
            object("Pod", "web-6d4c5f7b9-x2x7k", "default"),
            object("Pod", "shop", "team"),
            object("Service", "web", "default"),
            object("Node", "worker-1"),
            object("Node", "worker-2"),
        ],
    }),
);
const find = (text: string, namespace = "default"): string =>
    resourceName(findResource(parseResource([text], namespace), SNAPSHOT));

test("a resource is named as kubectl takes it", () => {
    expect(parseResource(["pod/web"], "team")).toEqual({ kind: "Pod", name: "web", namespace: "team" });
    expect(parseResource(["deploy", "web"], "default")).toMatchObject({ kind: "Deployment", name: "web" });
    expect(parseResource(["NO/worker-1"], "team")).toEqual({ kind: "Node", name: "worker-1" });
    expect(find("svc/web")).toBe("service/web");
    expect(find("nodes/worker-2", "team")).toBe("node/worker-2");
});

test("what is no kind and name is refused, with an example", () => {
    expect(() => parseResource(["web"], "default")).toThrow(/"web" isn't KIND\/NAME, as in pod\/web/);
    expect(() => parseResource(["pod/"], "default")).toThrow(/isn't KIND\/NAME/);
    expect(() => parseResource(["pod/a/b"], "default")).toThrow(/isn't KIND\/NAME/);
});

test("a kind that isn't known is refused with those like it", () => {
    expect(() => parseResource(["deploymnet/web"], "default")).toThrow(/Did you mean deployment/);
    expect(() => parseResource(["secret/web"], "default")).toThrow(
        /A secret can't be explained\..* Kinds: pod, service/,
    );
});

test("a name that isn't there is refused with those like it, or with where it is", () => {
    expect(() => find("node/worker-11")).toThrow("There is no node/worker-11. Did you mean worker-1, worker-2?");
    expect(() => find("pod/web")).toThrow("in the namespace default. Did you mean web-6d4c5f7b9-x2x7k?");
    expect(() => find("pod/shop")).toThrow("There is one in team: -n team.");
    expect(() => find("service/unlike-it")).toThrow("There is web.");
    expect(() => find("job/web")).toThrow("There is no job at all in the namespace default.");
});
