# shellcheck shell=bash
rolled_out courier
