import { diffOf, type Diff, type Existing, type Provider, type Subject } from "../../../scripts/providers/provider";
import { textAt, type Properties } from "../../../scripts/providers/value";

/** A resource of a name, as the engine asks a provider about it; nothing ends its operations. */
export function subjectOf(type: string, name = "step", changes: Partial<Subject> = {}): Subject {
    return { type, name, signal: new AbortController().signal, log: () => undefined, ...changes };
}

/** A resource that a provider has made, and what becomes of it when its inputs change. */
export class Made {
    private constructor(
        private readonly provider: Provider,
        readonly subject: Subject,
        readonly existing: Existing,
    ) {}

    static async create(provider: Provider, subject: Subject, inputs: Properties): Promise<Made> {
        return new Made(provider, subject, { inputs, ...(await provider.create(subject, inputs)) });
    }

    /** An output that is text. */
    text(key: string): string {
        return textAt(this.existing.outputs, key);
    }

    diff(changes: Properties = {}): Diff {
        return diffOf(this.provider, this.subject.type, this.existing, { ...this.existing.inputs, ...changes });
    }

    async update(changes: Properties): Promise<Made> {
        const inputs = { ...this.existing.inputs, ...changes };
        const outputs = (await this.provider.update?.(this.subject, this.existing, inputs)) ?? {};
        return new Made(this.provider, this.subject, { id: this.existing.id, inputs, outputs });
    }

    async delete(): Promise<void> {
        await this.provider.delete?.(this.subject, this.existing);
    }
}
