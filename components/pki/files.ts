import * as pulumi from "@pulumi/pulumi";
import type { HostFile } from "../steps/script";
import type { ClusterSpec } from "../cluster-spec/types";
import type { KeyPair } from "./certificate-authority";
import { renderKubeconfig } from "./kubeconfig";
import type { Pki } from "./pki";

/** Writes keys and certificates as files of one user, in one directory: keys 0400, certificates 0444. */
export class CredentialFiles {
    constructor(
        private readonly directory: string,
        private readonly user: string,
    ) {}

    /** `<name>.crt` */
    certificate(name: string, pem: pulumi.Input<string>): pulumi.Output<HostFile> {
        return this.file(`${name}.crt`, pem, "0444");
    }

    /** `<name>.key` */
    key(name: string, pem: pulumi.Input<string>): pulumi.Output<HostFile> {
        return this.file(`${name}.key`, pem, "0400");
    }

    /** `<name>.crt` and `<name>.key` */
    pair(name: string, pair: KeyPair): pulumi.Output<HostFile>[] {
        return [this.certificate(name, pair.certPem), this.key(name, pair.keyPem)];
    }

    /** `<name>.conf`: a kubeconfig of `user` for the API server at `server`. */
    kubeconfig(
        name: string,
        args: {
            readonly spec: ClusterSpec;
            readonly pki: Pki;
            readonly server: string;
            readonly user: string;
            readonly pair: KeyPair;
        },
    ): pulumi.Output<HostFile> {
        const text = pulumi
            .all([args.pki.kubernetes.certPem, args.pair.certPem, args.pair.keyPem])
            .apply(([certificateAuthority, certificate, key]) =>
                renderKubeconfig({
                    cluster: args.spec.name,
                    server: args.server,
                    user: args.user,
                    certificateAuthority,
                    certificate,
                    key,
                }),
            );
        return this.file(`${name}.conf`, text, "0400");
    }

    file(name: string, content: pulumi.Input<string>, mode: string): pulumi.Output<HostFile> {
        return pulumi.output(content).apply((text) => ({
            path: `${this.directory}/${name}`,
            content: text,
            mode,
            owner: `${this.user}:${this.user}`,
        }));
    }
}
