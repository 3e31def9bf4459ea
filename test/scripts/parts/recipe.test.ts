import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { CLI_MODULE } from "../../../scripts/engine/build-cli";
import { pinnedCliVersion } from "../../../scripts/engine/cli";
import { leaveOut } from "../../../scripts/parts/build/changed-module";
import { projectDirectory } from "../../../scripts/parts/build/go-module";
import { goArguments, programName } from "../../../scripts/parts/build/go-project";
import { compareGoVersions } from "../../../scripts/parts/build/toolchain";
import { type Extra, EXTRAS } from "../../../scripts/parts/extras";
import { extraPaths, readRecipe, selectParts } from "../../../scripts/parts/recipe";
import { RECIPE_DIRECTORY, recipeDigest } from "../../../scripts/parts/recipe-digest";
import { filesForRole } from "../../../components/steps/parts/files";
import { extrasOf } from "../../../components/steps/parts/request";

const recipe = readRecipe();

const pins = [
    ...recipe.projects.map(
        (project) => [projectDirectory(project), project.module, recipe.versions[project.version] ?? ""] as const,
    ),
    [CLI_MODULE, "github.com/pulumi/pulumi/pkg/v3", pinnedCliVersion()] as const,
];

test.each(pins)(
    "go.mod in %s pins the version of parts.yaml or package.json, and go.sum its checksum",
    (directory, module, version) => {
        const read = (file: string): string => readFileSync(join(directory, file), "utf8");
        expect(read("go.mod")).toMatch(new RegExp(`^\\s*(require )?${module} v${version}( // indirect)?$`, "m"));
        expect(read("go.sum")).toContain(`${module} v${version} h1:`);
    },
);

test("every staging module of Kubernetes has the version that goes with it", () => {
    const replaced = [
        ...readFileSync(join(projectDirectory({ name: "kubernetes" }), "go.mod"), "utf8").matchAll(/=> (\S+) (\S+)/g),
    ];
    expect(replaced.length).toBeGreaterThan(25);
    const version = (recipe.versions.kubernetes ?? "").replace(/^1\./, "v0.");
    expect(replaced.filter(([, , found]) => found !== version).map(([, module]) => module)).toEqual([]);
});

test("the projects make exactly the files of the roles, CoreDNS for its image, kubeadm for a race, and a judge", () => {
    const made = recipe.projects
        .flatMap(({ programs, tests = {} }) => Object.keys({ ...programs, ...tests }))
        .filter((path) => !path.startsWith("image/"));
    const more = ["bin/coredns", "bin/kubeadm", "bin/ginkgo", "bin/e2e.test"];
    const needed = [...filesForRole("control-plane"), ...filesForRole("node"), ...more];
    expect(made.sort()).toEqual(needed.sort());
});

const pathsOf = (extras: readonly Extra[]): string[] => {
    const { projects, images } = selectParts(recipe, extras);
    return [...projects.flatMap(({ programs }) => Object.keys(programs)), ...images.map(({ file }) => file)];
};

test("a cluster gets no part that only other clusters need", () => {
    const common = pathsOf([]);
    const added = (extra: Extra): string[] => pathsOf([extra]).filter((path) => !common.includes(path));
    expect(common).toEqual(expect.arrayContaining(["bin/kubelet", "bin/kubectl", "pause.tar", "nginx.tar"]));
    const hosted = ["etcd.tar", "kube-apiserver.tar", "kube-controller-manager.tar", "kube-scheduler.tar"];
    expect(added("kubeadm")).toEqual(["bin/kubeadm", ...hosted, "kube-proxy.tar"]);
    expect(added("static-pods")).toEqual(hosted);
    expect(added("flannel")).toEqual(["image/flanneld", "flannel.tar"]);
    expect(added("kube-router")).toEqual(["image/kube-router", "image/gobgp", "kube-router.tar"]);
    expect(added("app")).toEqual(["image/miniflux", "app-postgres.tar", "app-miniflux.tar", "app-nginx.tar"]);
    expect(extraPaths(["flannel"])).toEqual(["images/flannel.tar"]);
});

test.each(EXTRAS)("every program that an image of %s has in it is built with it", (extra) => {
    const { projects, images, layers } = selectParts(recipe, [extra]);
    const made = projects.flatMap(({ programs }) => Object.keys(programs));
    const wanted = images.flatMap((image) =>
        image.layers.flatMap((name) => Object.values(layers[name]?.programs ?? {})),
    );
    expect(wanted.filter((path) => !made.includes(path))).toEqual([]);
});

test("what a stack's settings need is asked for, and nothing else", () => {
    const settings = { hosting: "systemd", network: "kubenet", cniPlugin: "flannel" } as const;
    expect(extrasOf(settings)).toEqual([]);
    expect(extrasOf({ ...settings, network: "cni" })).toEqual(["flannel"]);
    expect(extrasOf({ ...settings, network: "cni", cniPlugin: "kube-router" })).toEqual(["kube-router"]);
    expect(extrasOf({ ...settings, hosting: "static-pods" })).toEqual(["static-pods"]);
});

test("docs/parts.md has what every project costs", () => {
    const page = readFileSync(join(__dirname, "../../../docs/parts.md"), "utf8");
    const told = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(([, name, seconds]) => [
        name,
        Number(seconds),
    ]);
    const costs = recipe.projects.map(({ name, cpuSeconds }) => [name, cpuSeconds]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(costs));
});

test("the images have the names that Kubernetes and the articles ask for", () => {
    expect(recipe.images.map(({ name }) => name)).toEqual([
        "registry.k8s.io/pause:3.10.2",
        "registry.k8s.io/coredns/coredns:v1.15.0",
        "docker.io/library/nginx:latest",
        "docker.io/curlimages/curl:latest",
        "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
        "registry.k8s.io/etcd:3.7.3-0",
        "registry.k8s.io/kube-apiserver:v1.36.3",
        "registry.k8s.io/kube-controller-manager:v1.36.3",
        "registry.k8s.io/kube-scheduler:v1.36.3",
        "registry.k8s.io/kube-proxy:v1.36.3",
        "ghcr.io/flannel-io/flannel:v0.28.10",
        "docker.io/cloudnativelabs/kube-router:v2.10.0",
        // test/utils/image/manifest.go of the pinned Kubernetes
        ...[
            ...["agnhost:2.63.0", "agnhost:2.55", "busybox:1.37.0-1", "nginx:1.15-4", "nginx:1.27-0"],
            ...["glibc-dns-testing:2.0.0", "kitten:1.8", "nautilus:1.8", "nonewprivs:1.4", "nonroot:1.5"],
            "sample-apiserver:1.29.2",
        ].map((name) => `registry.k8s.io/e2e-test-images/${name}`),
        "registry.k8s.io/etcd:3.6.8-0",
        // examples/app-on-lab
        ...["library/postgres:15", "miniflux/miniflux:2.3.5", "library/nginx:1.28"].map((name) => `docker.io/${name}`),
    ]);
});

test("the version stamps carry the versions", () => {
    const kubernetes = recipe.projects.find(({ name }) => name === "kubernetes");
    expect(kubernetes?.variables).toMatchObject({
        "k8s.io/component-base/version.gitVersion": "v1.36.3",
        "k8s.io/component-base/version.gitMajor": "1",
        "k8s.io/component-base/version.gitMinor": "36",
    });
});

test("only the project that needs C is linked by the C linker", () => {
    const external = recipe.projects.filter((project) =>
        goArguments(project, [], "out").join(" ").includes("external"),
    );
    expect(external.map(({ name }) => name)).toEqual(["runc"]);
});

test("a changed go.sum, image file or version changes the recipe's digest", () => {
    const copy = mkdtempSync(join(tmpdir(), "kubelab-recipe-"));
    try {
        for (const name of ["parts.yaml", "images.yaml", "go", "images"]) {
            cpSync(join(RECIPE_DIRECTORY, name), join(copy, name), { recursive: true });
        }
        const digests = [recipeDigest(copy)];
        for (const name of ["go/etcd/go.sum", "images/nginx/etc/nginx/nginx.conf", "parts.yaml"]) {
            writeFileSync(join(copy, name), `${readFileSync(join(copy, name), "utf8")}\n`);
            digests.push(recipeDigest(copy));
        }
        expect(digests[0]).toBe(recipeDigest());
        expect(new Set(digests).size).toBe(4);
    } finally {
        rmSync(copy, { recursive: true });
    }
});

test.each([
    ["go.etcd.io/etcd/server/v3", "server"],
    ["go.etcd.io/etcd/etcdctl/v3", "etcdctl"],
    ["k8s.io/kubernetes/cmd/kubelet", "kubelet"],
    ["github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2", "containerd-shim-runc-v2"],
])("go build names the program of %s %s", (goPackage, name) => {
    expect(programName(goPackage)).toBe(name);
});

test("Go versions are compared by number, release candidates before the release", () => {
    const sorted = ["go1.26.8", "1.26rc1", "go1.9.7", "1.26", "go1.26.10", "devel go1.27"].sort(compareGoVersions);
    expect(sorted).toEqual(["devel go1.27", "go1.9.7", "1.26rc1", "1.26", "go1.26.8", "go1.26.10"]);
});

test("files that take the place of a module's are beside its go.mod", () => {
    const replacing = recipe.projects.flatMap((project) =>
        Object.values(project.replacedFiles ?? {}).map((file) => join(projectDirectory(project), file)),
    );
    expect(replacing.map((file) => basename(file))).toEqual(["without-aws.go"]);
    expect(readFileSync(replacing[0] ?? "", "utf8")).toContain("disableSourceDestinationCheck()");
});

test("an import that the recipe leaves out goes, and one that isn't there is told of", () => {
    const source = 'import (\n\t"fmt"\n\t_ "example.com/cloud" // for cloud://\n\t_ "example.com/cloudy"\n)\n';
    expect(leaveOut(source, ["example.com/cloud"])).toBe('import (\n\t"fmt"\n\t_ "example.com/cloudy"\n)\n');
    expect(() => leaveOut(source, ["example.com/gone"])).toThrow("example.com/gone");
});
