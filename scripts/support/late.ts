/**
 * A module of this program, loaded when it is first needed. Node.js gets at TypeScript modules by `import()` only through hooks in a
 * thread of their own, whose start takes half a second of every command.
 *
 * @param from `require` of the module that asks.
 */
export async function late<Module>(from: NodeJS.Require, path: string): Promise<Module> {
    return Promise.resolve(from(path) as Module);
}
