/**
 * The part of the reflect-metadata API that @peculiar/x509 needs before it loads (its dependency injection reads and
 * writes metadata of classes, and finds none that a compiler left). An implementation that is there already stays.
 */
const metadata = new WeakMap<object, Map<unknown, unknown>>();

const api = {
    defineMetadata(key: unknown, value: unknown, target: object): void {
        const own = metadata.get(target) ?? new Map<unknown, unknown>();
        metadata.set(target, own.set(key, value));
    },
    getOwnMetadata(key: unknown, target: object): unknown {
        return metadata.get(target)?.get(key);
    },
    getMetadata(key: unknown, target: object): unknown {
        for (let each: object | null = target; each !== null; each = Object.getPrototypeOf(each) as object | null) {
            if (metadata.get(each)?.has(key)) {
                return metadata.get(each)?.get(key);
            }
        }
        return undefined;
    },
};

if (!("getMetadata" in Reflect)) {
    Object.assign(Reflect, api);
}

export {};
