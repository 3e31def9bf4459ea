# shellcheck shell=bash
rolled_out till
inside till timeout 8 getent hosts shop >/dev/null || still "the till doesn't resolve the name shop"
