import { parse } from "yaml";
import { AUDIT_LOG, auditFlags, auditPolicy } from "../../../components/control-plane/audit";
import { apiServerProcess } from "../../../components/control-plane/api-server";
import { testSpec } from "../../support/spec";

interface Rule {
    readonly level: string;
    readonly verbs?: readonly string[];
    readonly userGroups?: readonly string[];
    readonly resources?: readonly { readonly group: string; readonly resources?: readonly string[] }[];
}

const rules = (parse(auditPolicy()) as { rules: Rule[] }).rules;

test("no body is written down but that of a role or a binding, which nothing secret is in", () => {
    const withBody = rules.filter(({ level }) => !["None", "Metadata"].includes(level));
    expect(withBody.map(({ resources }) => resources?.map(({ group }) => group))).toEqual([
        ["rbac.authorization.k8s.io"],
    ]);
});

test("everybody who reads a secret is written down, kubelets too", () => {
    expect(rules[0]).toEqual({
        level: "Metadata",
        resources: [{ group: "", resources: ["secrets", "serviceaccounts/token"] }],
    });
});

test("what changes something is written down, whoever does it", () => {
    const silent = rules.filter(({ level }) => level === "None");
    const ofUsers = silent.filter((rule) => rule.userGroups ?? "users" in rule);
    expect(ofUsers).toHaveLength(2);
    expect(ofUsers.filter(({ verbs }) => verbs?.join() !== "get,list,watch")).toEqual([]);
    expect(rules.at(-1)).toEqual({ level: "Metadata" });
});

test("the log is rotated, and the API server alone gets at it", () => {
    const flags = Object.fromEntries(auditFlags("/policy.yaml").map(({ name, value }) => [name, value]));
    expect(flags).toEqual({
        "audit-policy-file": "/policy.yaml",
        "audit-log-path": AUDIT_LOG,
        "audit-log-maxage": "30",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
    });
    const { logsDirectory = "" } = apiServerProcess(testSpec(), "10.240.0.11");
    expect(AUDIT_LOG).toBe(`/var/log/${logsDirectory}/audit.log`);
});
