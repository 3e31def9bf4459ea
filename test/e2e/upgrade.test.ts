import { stampedParts } from "../support/stamped-parts";
import { upgradeStory } from "../support/upgrade-story";

const kubernetes = "1.36.2";

upgradeStory({
    title: "an upgrade",
    name: "upgrade",
    prefix: "10.249.11",
    from: { kubernetes },
    parts: () => stampedParts(kubernetes),
});
