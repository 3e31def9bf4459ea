import { getAmiOutput } from "@pulumi/aws/ec2/getAmi";
import * as pulumi from "@pulumi/pulumi";
import type { Component } from "../../component";
import type { AwsSpec } from "../../cluster-spec/types";

/** Debian's own account, https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm */
const DEBIAN = "136693071363";
/** The release that local machines have too. */
const RELEASE = "debian-12";
/** The user of Debian's AMIs that the key pair lets in, with sudo. */
export const IMAGE_USER = "admin";

/**
 * Id of the AMI of the machines. The one that is found when the first machine is made stays, in the stack's state, so that neither
 * a new image of Debian's nor the day on which a worker is added changes anything. It changes when it is asked to: by another id
 * in the config, or by `latest`.
 */
export function machineImage(
    aws: AwsSpec,
    provider: pulumi.ProviderResource,
    parent: Component,
): pulumi.Output<string> {
    const found =
        aws.ami === undefined || aws.ami === "latest"
            ? getAmiOutput(
                  {
                      owners: [DEBIAN],
                      mostRecent: true,
                      filters: [
                          { name: "name", values: [`${RELEASE}-${aws.architecture}-*`] },
                          { name: "virtualization-type", values: ["hvm"] },
                          { name: "root-device-type", values: ["ebs"] },
                      ],
                  },
                  { parent, provider },
              ).id
            : aws.ami;
    const kept = new pulumi.Stash(
        parent.nameOf("ami"),
        { input: found },
        {
            parent,
            replaceOnChanges: ["input"],
            ignoreChanges: aws.ami === undefined ? ["input"] : [],
        },
    );
    return kept.output as pulumi.Output<string>;
}
