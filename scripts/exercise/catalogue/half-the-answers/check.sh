# shellcheck shell=bash
said=$(fetch_often office http://shop/hostname 16) || still "the shop doesn't answer the office: ${said:-no call}"
