import fc from "fast-check";
import {
    addressAt,
    type Cidr,
    contains,
    formatCidr,
    overlaps,
    parseAddress,
    parseCidr,
    sizeOfCidr,
    subnetAt,
    subnetCount,
} from "../../../components/cluster-spec/cidr";

const anyAddress = fc.nat(2 ** 32 - 1);
const anyCidr = fc
    .tuple(anyAddress, fc.integer({ min: 0, max: 32 }))
    .map(([address, prefix]): Cidr => ({ base: address - (address % 2 ** (32 - prefix)), prefix }));

test("a range reads back as it was written", () => {
    fc.assert(fc.property(anyCidr, (cidr) => expect(parseCidr(formatCidr(cidr))).toEqual(cidr)));
});

test("a range with host bits is a fault that names the range it lies in", () => {
    fc.assert(
        fc.property(anyCidr, anyAddress, (cidr, offset) => {
            const inside = offset % sizeOfCidr(cidr);
            fc.pre(inside !== 0);
            const text = `${addressAt(cidr, inside)}/${cidr.prefix}`;
            expect(parseCidr(text)).toEqual({
                problem: "has host bits set",
                remedy: `did you mean ${formatCidr(cidr)}?`,
            });
        }),
    );
});

test("no text makes the reader throw", () => {
    fc.assert(fc.property(fc.string(), (text) => expect(() => parseCidr(text)).not.toThrow()));
});

test("the addresses of a range are its own, and the one after its last isn't", () => {
    fc.assert(
        fc.property(anyCidr, anyAddress, (cidr, offset) => {
            const inside = offset % sizeOfCidr(cidr);
            expect(parseAddress(addressAt(cidr, inside))).toBe(cidr.base + inside);
            expect(() => addressAt(cidr, sizeOfCidr(cidr))).toThrow(RangeError);
        }),
    );
});

test("two ranges overlap just when one contains the other", () => {
    fc.assert(
        fc.property(anyCidr, anyCidr, (a, b) => {
            expect(overlaps(a, b)).toBe(contains(a, b) || contains(b, a));
            expect(overlaps(a, b)).toBe(overlaps(b, a));
        }),
    );
});

test("subnets lie in their range and don't overlap each other", () => {
    fc.assert(
        fc.property(anyCidr, fc.nat(8), fc.nat(), fc.nat(), (cidr, bits, first, second) => {
            const prefix = Math.min(32, cidr.prefix + bits);
            const count = subnetCount(cidr, prefix);
            const [a, b] = [subnetAt(cidr, prefix, first % count), subnetAt(cidr, prefix, second % count)];
            expect(contains(cidr, a)).toBe(true);
            expect(overlaps(a, b)).toBe(first % count === second % count);
            expect(() => subnetAt(cidr, prefix, count)).toThrow(RangeError);
        }),
    );
});
