import { late } from "../../../scripts/support/late";
import { sdkVersion, serveInsteadOfPlugin } from "../../../scripts/engine/packages";
import type { CloudSettings } from "./cloud";
import { playedEc2 } from "./provider";

// scripts/lab with an account of the tests' own in EC2's place: which one, it is told in $KUBELAB_TEST_EC2.
const settings = JSON.parse(process.env["KUBELAB_TEST_EC2"] ?? "null") as CloudSettings | null;
if (settings === null) {
    throw new Error("KUBELAB_TEST_EC2 must say which account to play");
}
serveInsteadOfPlugin({ name: "aws", version: sdkVersion("aws"), provider: playedEc2(settings) });
void late(require, "../../../scripts/cli/main");
