// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title Keeps one unit of every transfer for itself
contract TakingToken is HostileToken {
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        move(from, to, value - 1);
        move(from, address(this), 1);
        return true;
    }
}
