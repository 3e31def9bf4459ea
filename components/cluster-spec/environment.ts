/** In the environment: what `kubelab:sudoPassword` is where the stack's config doesn't say, so that it need be in no file. */
export const SUDO_PASSWORD = "KUBELAB_SUDO_PASSWORD";
