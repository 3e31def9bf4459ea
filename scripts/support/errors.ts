/** A mistake of the user, or something missing on their machine: printed without a stack. */
export class UserError extends Error {}
