# shellcheck shell=bash
rolled_out till
rolled_out kiosk
