/** Where the control plane has the nodes whose certificates are approved: files with their addresses. */
export const NODES = "/etc/kubernetes/nodes";

export function nodeFile(node: string): string {
    return `${NODES}/${node}`;
}
