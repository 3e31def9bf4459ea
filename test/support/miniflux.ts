import type { Lab } from "./lab";

const ADMINISTRATOR = "admin";

/** The application of examples/app-on-lab, asked as its users do: by the port of a node, through the proxy. */
export class Miniflux {
    /** @param url of the proxy. */
    constructor(
        private readonly url: string,
        private readonly password: string,
    ) {}

    /** The sign-in page. */
    async page(): Promise<string> {
        return (await fetch(`${this.url}/`)).text();
    }

    /** https://miniflux.app/docs/api.html. @throws Error with what was answered in place of success. */
    async ask<T>(method: "GET" | "POST", path: string, body?: object): Promise<T> {
        const credentials = Buffer.from(`${ADMINISTRATOR}:${this.password}`).toString("base64");
        const response = await fetch(`${this.url}/v1/${path}`, {
            method,
            headers: { Authorization: `Basic ${credentials}`, "Content-Type": "application/json" },
            signal: AbortSignal.timeout(20_000),
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        if (!response.ok) {
            throw new Error(`${method} ${path}: ${response.status} ${text}`);
        }
        return JSON.parse(text) as T;
    }

    /** Subscribes to the feed that the proxy serves inside of the cluster. @returns its id. */
    async subscribe(): Promise<number> {
        const [category] = await this.ask<readonly { readonly id: number }[]>("GET", "categories");
        const feed = { feed_url: "http://proxy/feed.xml", category_id: category?.id };
        return (await this.ask<{ readonly feed_id: number }>("POST", "feeds", feed)).feed_id;
    }

    /** Titles of all entries that are kept, the oldest first. */
    async titles(): Promise<string[]> {
        const { entries } = await this.ask<{ readonly entries: readonly { readonly title: string }[] }>(
            "GET",
            "entries?order=published_at&direction=asc",
        );
        return entries.map(({ title }) => title);
    }
}

/** What the sample feed has in it. */
export const TITLES = ["The first entry", "The second entry"];

/** The application in a lab, with its secrets as the cluster has them. */
export function minifluxOf(lab: Lab, node: string): Miniflux {
    const address = lab.outputs().nodes.find(({ name }) => name === node)?.address;
    const secret = ["get", "secret", "administrator", "--namespace=miniflux", "-o", "jsonpath={.data.password}"];
    const password = Buffer.from(lab.kubectl(...secret), "base64").toString();
    return new Miniflux(`http://${address}:30080`, password);
}
