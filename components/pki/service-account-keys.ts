import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Component } from "../component";
import { KEY } from "./certificate-authority";
import { byNumber, numbered } from "./numbered";

/** What signs the tokens of service accounts, and what those tokens are checked with. */
export interface ServiceAccountKeys {
    /** Private, PEM. */
    readonly signing: pulumi.Output<string>;
    /** Public ones of all keys, PEM: any of them may have signed a token. */
    readonly trusted: pulumi.Output<string>;
}

/** @param numbers of the keys: the first one signs. */
export function serviceAccountKeys(numbers: readonly number[], parent: Component): ServiceAccountKeys {
    const { first, all } = byNumber(
        numbers,
        (number) => new tls.PrivateKey(parent.nameOf(numbered("service-accounts", number)), KEY, { parent }),
    );
    const trusted = pulumi.all(all.map(({ publicKeyPem }) => publicKeyPem)).apply((each) => each.join(""));
    return { signing: first.privateKeyPem, trusted };
}
