/** Days before a certificate's end from which an `up` renews it. */
export const EARLY_RENEWAL_DAYS = 30;
