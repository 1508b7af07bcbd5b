// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title Returns false and moves nothing once it is told to
contract FalseToken is HostileToken {
    bool public isRefusing = true;

    function refuse(bool isRefusing_) external {
        isRefusing = isRefusing_;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (isRefusing) return false;
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (isRefusing) return false;
        move(from, to, value);
        return true;
    }
}
