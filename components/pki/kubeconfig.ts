import { stringify } from "yaml";

export interface KubeconfigArgs {
    /** Name of the cluster and of the context. */
    readonly cluster: string;
    readonly user: string;
    /** Name of the context, by that of the cluster; the same where it is missing. */
    readonly context?: (cluster: string) => string;
    /** That commands are for where they name none. */
    readonly namespace?: string;
    /** `https://host:port` */
    readonly server: string;
    /** Name that the server's certificate has, where it isn't the host's. */
    readonly serverName?: string;
    /** PEM; or, on the machine that it is for, the path of a file. */
    readonly certificateAuthority?: string;
    readonly certificateAuthorityFile?: string;
    /** PEM of both; or the paths of files on the machine that it is for. */
    readonly credentials:
        | { readonly certificate: string; readonly key: string }
        | { readonly certificateFile: string; readonly keyFile: string }
        | { readonly tokenFile: string };
}

/** A kubeconfig; https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function renderKubeconfig(args: KubeconfigArgs): string {
    const { credentials, namespace } = args;
    const context = args.context?.(args.cluster) ?? args.cluster;
    return stringify(
        {
            apiVersion: "v1",
            kind: "Config",
            clusters: [
                {
                    name: args.cluster,
                    cluster: {
                        server: args.server,
                        ...(args.serverName === undefined ? {} : { "tls-server-name": args.serverName }),
                        ...(args.certificateAuthority === undefined
                            ? { "certificate-authority": args.certificateAuthorityFile }
                            : { "certificate-authority-data": base64(args.certificateAuthority) }),
                    },
                },
            ],
            users: [
                {
                    name: args.user,
                    user: renderCredentials(credentials),
                },
            ],
            contexts: [
                {
                    name: context,
                    context: {
                        cluster: args.cluster,
                        user: args.user,
                        ...(namespace === undefined ? {} : { namespace }),
                    },
                },
            ],
            "current-context": context,
        },
        { lineWidth: 0 },
    );
}

function renderCredentials(credentials: KubeconfigArgs["credentials"]): object {
    if ("tokenFile" in credentials) {
        return { tokenFile: credentials.tokenFile };
    }
    return "key" in credentials
        ? {
              "client-certificate-data": base64(credentials.certificate),
              "client-key-data": base64(credentials.key),
          }
        : {
              "client-certificate": credentials.certificateFile,
              "client-key": credentials.keyFile,
          };
}

function base64(pem: string): string {
    return Buffer.from(pem).toString("base64");
}
