// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The least of a token, for others to be odd about
abstract contract HostileToken {
    mapping(address owner => uint256 units) public balanceOf;

    function give(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function move(address from, address to, uint256 value) internal {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}
