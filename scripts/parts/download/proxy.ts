/** Variables that name the proxy for `https:` and `http:`, in the order in which they are read. */
const HTTPS = ["https_proxy", "HTTPS_PROXY"] as const;
const HTTP = ["http_proxy", "HTTP_PROXY"] as const;
export const PROXY_VARIABLES = [...HTTPS, ...HTTP];

/** The proxy that the environment has requests for a URL go by, as curl reads it; undefined where they go straight. */
export function proxyFor(url: string, environment: NodeJS.ProcessEnv = process.env): URL | undefined {
    const { protocol, hostname, port } = new URL(url);
    const proxy = (protocol === "https:" ? HTTPS : HTTP).map((name) => environment[name]).find((value) => value);
    if (proxy === undefined || isExempt(hostname, port, environment["no_proxy"] || environment["NO_PROXY"] || "")) {
        return undefined;
    }
    return new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
}

/** Whether a host, or a domain that it is in, is in the list. */
function isExempt(hostname: string, port: string, list: string): boolean {
    const entries = list.split(/[\s,]+/).filter((entry) => entry !== "");
    return entries.some((entry) => {
        const [, name = "", ofPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
        const matches = name === "" || hostname === name || hostname.endsWith(`.${name}`);
        return matches && (ofPort === undefined || ofPort === port);
    });
}
