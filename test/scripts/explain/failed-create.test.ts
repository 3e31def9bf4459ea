import { refusalOf } from "../../../scripts/explain/failed-create";

/** Messages of events with the reason FailedCreate. */
const MESSAGES: readonly (readonly [message: string, responsible: string, summary: RegExp])[] = [
    [
        'Error creating: pods "web-" is forbidden: error looking up service account bare/default: serviceaccount "default" not found',
        "controller manager",
        /^No token: the ServiceAccount default of bare/,
    ],
    [
        'Error creating: pods "web-" is forbidden: No API token found for service account "default", retry after the token is automatically created and added to the service account',
        "controller manager",
        /^No token/,
    ],
    [
        'Error creating: pods "web-" is forbidden: error looking up service account bare/robot: serviceaccount "robot" not found',
        "author",
        /ServiceAccount robot, which bare doesn't have/,
    ],
    [
        'Error creating: pods "web-abc" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1',
        "admission",
        /^The quota few of bare/,
    ],
    [
        'Error creating: pods "web-abc" is forbidden: failed quota: few: must specify cpu for: nginx',
        "admission",
        /quota few/,
    ],
    [
        'Error creating: pods "web-abc" is forbidden: violates PodSecurity "baseline:latest": privileged (container "web" must not set securityContext.privileged=true)',
        "admission",
        /Pod Security level baseline:latest/,
    ],
    [
        'Error creating: Internal error occurred: failed calling webhook "deny.example.com": failed to call webhook: Post "https://deny.default.svc:443/?timeout=10s": service "deny" not found',
        "admission",
        /webhook deny\.example\.com can't be asked/,
    ],
    ['Error creating: admission webhook "deny.example.com" denied the request: no', "admission", /refuses the pods/],
    [
        'Error creating: pods "web-abc" is forbidden: maximum cpu usage per Container is 100m, but limit is 1',
        "admission",
        /LimitRange/,
    ],
    ['Error creating: Pod "web-abc" is invalid: spec.containers[0].image: Required value', "API server", /API server/],
];

test.each(MESSAGES)("%s", (message, responsible, summary) => {
    const refusal = refusalOf(message, "bare");
    expect(refusal.responsible).toBe(responsible);
    expect(refusal.summary).toMatch(summary);
    expect(refusal.next.length).toBeGreaterThan(0);
});
