import { keepalivedConfiguration } from "../../../components/control-plane/moving-address";

const [ADDRESS, SELF] = ["10.240.0.10", "10.240.0.11"];

test("the address is on a control plane whose API server answers, and doesn't move back", () => {
    expect(keepalivedConfiguration(ADDRESS, SELF, [SELF, "10.240.0.12", "10.240.0.13"])).toMatchSnapshot();
});

test("the only control plane speaks to nobody on the network", () => {
    expect(keepalivedConfiguration(ADDRESS, SELF, [SELF])).toContain("    unicast_peer {\n        127.0.0.1\n    }\n");
});
