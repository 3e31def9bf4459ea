/**
 * The parts of the Pulumi SDK that the engine builds on, by deep path: the whole of `@pulumi/pulumi` takes a second to load,
 * and the program loads what it needs itself.
 */
import "./lazy-modules";

export * as rpc from "@pulumi/pulumi/runtime/rpc";
export * as settings from "@pulumi/pulumi/runtime/settings";
export * as stack from "@pulumi/pulumi/runtime/stack";
export * as config from "@pulumi/pulumi/runtime/config";
export { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
export * as provproto from "@pulumi/pulumi/proto/provider_pb";
export * as resproto from "@pulumi/pulumi/proto/resource_pb";
export * as struct from "google-protobuf/google/protobuf/struct_pb";
