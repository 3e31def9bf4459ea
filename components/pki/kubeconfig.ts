import { stringify } from "yaml";

export interface KubeconfigArgs {
    /** Name of the cluster and of the context. */
    readonly cluster: string;
    readonly user: string;
    /** `https://host:port` */
    readonly server: string;
    /** PEM. */
    readonly certificateAuthority: string;
    /** PEM of both; or the paths of files on the machine that it is for. */
    readonly credentials:
        | { readonly certificate: string; readonly key: string }
        | { readonly certificateFile: string; readonly keyFile: string };
}

/** A kubeconfig; https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function renderKubeconfig(args: KubeconfigArgs): string {
    const { credentials } = args;
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
                    user:
                        "key" in credentials
                            ? {
                                  "client-certificate-data": base64(credentials.certificate),
                                  "client-key-data": base64(credentials.key),
                              }
                            : {
                                  "client-certificate": credentials.certificateFile,
                                  "client-key": credentials.keyFile,
                              },
                },
            ],
            contexts: [{ name: args.cluster, context: { cluster: args.cluster, user: args.user } }],
            "current-context": args.cluster,
        },
        { lineWidth: 0 },
    );
}
