import { overlapping, routedRanges } from "../../../scripts/machines/address-range";

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
lab-x	0000F00A	00000000	0001	0	0	0	00FFFFFF	0	0	0
`;

describe("address ranges in use", () => {
    it("are read from the kernel's routes", () => {
        expect(routedRanges(ROUTES).map(({ range }) => range)).toEqual(["0.0.0.0/0", "192.0.2.0/24", "10.240.0.0/24"]);
    });

    it.each([
        ["192.0.2.0/24", "eth0"],
        ["192.0.0.0/16", "eth0"],
        ["192.0.2.128/25", "eth0"],
        ["10.240.0.0/16", "lab-x"],
    ])("%s overlaps with what goes through %s", (network, name) => {
        expect(overlapping(network, routedRanges(ROUTES), "")?.by).toContain(name);
    });

    it("don't overlap with their neighbours, nor does the default route with anything", () => {
        expect(overlapping("10.240.1.0/24", routedRanges(ROUTES), "")).toBeUndefined();
        expect(overlapping("192.0.3.0/24", routedRanges(ROUTES), "")).toBeUndefined();
    });

    it("don't count where they are the lab's own", () => {
        expect(overlapping("10.240.0.0/24", routedRanges(ROUTES), "lab-x")).toBeUndefined();
    });
});
