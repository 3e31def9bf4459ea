import * as pulumi from "@pulumi/pulumi";
import type { CopiedFile, HostFile } from "../steps/script";
import type { ClusterSpec } from "../cluster-spec/types";
import { renderKubeconfig } from "./kubeconfig";
import type { MachineCertificate, Pki } from "./pki";

/** Writes keys and certificates as files of one user, in one directory: keys and kubeconfigs 0400, certificates 0444. */
export class CredentialFiles {
    constructor(
        private readonly directory: string,
        private readonly user: string,
    ) {}

    /** `<name>.crt` */
    certificate(name: string, pem: pulumi.Input<string>): pulumi.Output<HostFile> {
        return this.file(`${name}.crt`, pem, "0444");
    }

    /** `<name>.key`, for what isn't made on the machine: secret. */
    key(name: string, pem: pulumi.Input<string>): pulumi.Output<HostFile> {
        return this.file(`${name}.key`, pem, "0400");
    }

    /** `<name>.crt` and `<name>.key`: the key is a copy of the one that the machine has made. */
    pair(name: string, { certPem, keyFile }: MachineCertificate): pulumi.Output<HostFile | CopiedFile>[] {
        const key: CopiedFile = {
            path: `${this.directory}/${name}.key`,
            source: keyFile,
            mode: "0400",
            owner: this.owner,
        };
        return [this.certificate(name, certPem), pulumi.output(key)];
    }

    /**
     * `<name>.conf`: a kubeconfig of `user` for the API server at `server`, and the files that it refers to, which are named
     * `credentials`.
     */
    kubeconfig(
        name: string,
        args: {
            readonly spec: ClusterSpec;
            readonly pki: Pki;
            readonly server: string;
            readonly user: string;
            readonly certificate: MachineCertificate;
            readonly credentials?: string;
        },
    ): pulumi.Output<HostFile | CopiedFile>[] {
        const { credentials = "client" } = args;
        const text = args.pki.kubernetes.trusted.apply((certificateAuthority) =>
            renderKubeconfig({
                cluster: args.spec.name,
                server: args.server,
                user: args.user,
                certificateAuthority,
                credentials: {
                    certificateFile: `${this.directory}/${credentials}.crt`,
                    keyFile: `${this.directory}/${credentials}.key`,
                },
            }),
        );
        return [this.file(`${name}.conf`, text, "0400"), ...this.pair(credentials, args.certificate)];
    }

    file(name: string, content: pulumi.Input<string>, mode: string): pulumi.Output<HostFile> {
        return pulumi.output(content).apply((text) => ({
            path: `${this.directory}/${name}`,
            content: text,
            mode,
            owner: this.owner,
        }));
    }

    private get owner(): string {
        return `${this.user}:${this.user}`;
    }
}
