/** A mistake of the person at the keyboard, or something their machine lacks: printed as it is, without a stack. */
export class UserError extends Error {}
