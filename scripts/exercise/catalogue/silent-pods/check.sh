# shellcheck shell=bash
rolled_out shop
