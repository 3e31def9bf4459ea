package routing

import "k8s.io/klog/v2"

// In place of upstream's aws.go, which asks EC2 to switch the source/destination check off.
func (nrc *NetworkRoutingController) disableSourceDestinationCheck() {
	klog.Error("--disable-source-dest-check: this kube-router is built without its client of AWS. " +
		"Switch the check off where the instances are made")
}
