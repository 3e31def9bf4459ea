import { stringify } from "yaml";

export interface KubeconfigArgs {
    /** Name of the cluster and of the context. */
    readonly cluster: string;
    readonly user: string;
    /** `https://host:port` */
    readonly server: string;
    /** PEM. */
    readonly certificateAuthority: string;
    /** PEM. */
    readonly certificate: string;
    /** PEM. */
    readonly key: string;
}

/** A kubeconfig with everything inside it; https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function renderKubeconfig(args: KubeconfigArgs): string {
    const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
    return stringify(
        {
            apiVersion: "v1",
            kind: "Config",
            clusters: [
                {
                    name: args.cluster,
                    cluster: {
                        server: args.server,
                        "certificate-authority-data": base64(args.certificateAuthority),
                    },
                },
            ],
            users: [
                {
                    name: args.user,
                    user: {
                        "client-certificate-data": base64(args.certificate),
                        "client-key-data": base64(args.key),
                    },
                },
            ],
            contexts: [{ name: args.cluster, context: { cluster: args.cluster, user: args.user } }],
            "current-context": args.cluster,
        },
        { lineWidth: 0 },
    );
}
