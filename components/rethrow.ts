/** The SDK would put the name of each output that fails before the message. */
export function rethrowAsItIs(error: unknown): never {
    if (error instanceof Error) {
        const { message } = error;
        Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
    }
    throw error;
}
