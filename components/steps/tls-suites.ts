/**
 * Cipher suites of TLS 1.2 that servers of the cluster take; TLS 1.3 has its own. Their keys are ECDSA, so that suites of RSA would
 * never be used. HTTP/2 needs the first: https://www.rfc-editor.org/rfc/rfc9113#section-9.2.2
 */
export const STRONG_SUITES = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
] as const;
