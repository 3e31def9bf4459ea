import { API_SERVER_RULES } from "../control-plane/api-server-rules";
import { CONTROLLER_MANAGER_RULES } from "../control-plane/controller-manager-rules";
import { ETCD_RULES } from "../control-plane/etcd-rules";
import { SCHEDULER_RULES } from "../control-plane/scheduler-rules";
import { KUBELET_RULES } from "../node/kubelet-rules";
import { KUBE_PROXY_RULES } from "../node/kube-proxy-rules";
import type { FlagRules } from "../steps/flag-rules";
import type { FlaggedComponent } from "./types";

/** What may be done with each component's flags. */
export const FLAG_RULES: Readonly<Record<FlaggedComponent, FlagRules>> = {
    etcd: ETCD_RULES,
    "kube-apiserver": API_SERVER_RULES,
    "kube-controller-manager": CONTROLLER_MANAGER_RULES,
    "kube-scheduler": SCHEDULER_RULES,
    kubelet: KUBELET_RULES,
    "kube-proxy": KUBE_PROXY_RULES,
};
