# shellcheck shell=bash
rolled_out till
