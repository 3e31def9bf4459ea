import { containerdConfiguration, registryFiles } from "../../../components/node/containerd";
import { FACTS, testSpec } from "../../support/spec";

const LAB = { url: "https://10.240.0.1:5000", certificateAuthority: "PEM" };
const LAB_HOST = `[host."https://10.240.0.1:5000"]
  capabilities = ["pull", "resolve"]
  ca = "/etc/containerd/certs.d/mirror-1.crt"
`;

test("the configuration", () => {
    expect(containerdConfiguration(testSpec(), FACTS)).toMatchSnapshot();
});

test("the cgroup driver is the kubelet's", () => {
    expect(containerdConfiguration(testSpec(), { ...FACTS, cgroupDriver: "systemd" })).toContain(
        "SystemdCgroup = true",
    );
    expect(containerdConfiguration(testSpec(), FACTS)).toContain("SystemdCgroup = false");
});

test("the pause image is the one that the versions name", () => {
    expect(containerdConfiguration(testSpec({ versions: { pause: "3.9" } }), FACTS)).toContain(
        'sandbox = "registry.k8s.io/pause:3.9"',
    );
});

describe("images", () => {
    test("come from their own registries where there is no mirror", () => {
        expect(registryFiles({}, [])).toEqual([]);
    });

    test("of every registry are asked for at the lab's registry first", () => {
        expect(registryFiles({}, [LAB])).toEqual([
            { path: "/etc/containerd/certs.d/mirror-1.crt", content: "PEM" },
            { path: "/etc/containerd/certs.d/_default/hosts.toml", content: LAB_HOST },
        ]);
    });

    test("of a registry with mirrors of its own are asked for there before, in the order of the config", () => {
        const [, , dockerHub] = registryFiles({ "docker.io": ["https://a.example", "https://b.example"] }, [LAB]);
        const [a, b] = ["a", "b"].map(
            (name) => `[host."https://${name}.example"]\n  capabilities = ["pull", "resolve"]\n`,
        );
        expect(dockerHub).toEqual({
            path: "/etc/containerd/certs.d/docker.io/hosts.toml",
            content: [a, b, LAB_HOST].join("\n"),
        });
    });

    test("are never asked for without checking the certificate, nor at a place that is nobody's", () => {
        const text = registryFiles({ "docker.io": ["https://a.example"] }, [LAB])
            .map(({ content }) => content)
            .join("\n");
        expect(text).not.toMatch(/skip_verify|override_path|^server *=/m);
    });
});
