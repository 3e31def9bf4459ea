import { builtParts } from "../support/built-parts";
import { upgradeStory } from "../support/upgrade-story";

const patch = { kubernetes: "1.36.2" };
const minor = { kubernetes: "1.35.4", etcd: "3.7.2", containerd: "2.4.1" };

upgradeStory({
    title: "an upgrade from the former patch release",
    name: "patch",
    prefix: "10.249.14",
    from: patch,
    parts: () => builtParts(patch),
});

upgradeStory({
    title: "an upgrade from the former minor release, with etcd and containerd",
    name: "minor",
    prefix: "10.249.15",
    from: minor,
    parts: () => builtParts(minor),
});
