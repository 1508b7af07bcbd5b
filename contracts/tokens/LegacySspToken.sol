// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A token shaped like the real SSP of 2017: plain ERC-20, 4 decimals, no signatures, no burn
/// @dev Mirrors what could be read of 0x624d520BAB2E4aD83935Fa503fB130614374E850: bare reverts, unchecked credit.
contract LegacySspToken {
    string public constant name = "smartshare token";
    string public constant symbol = "SSP";
    uint8 public constant decimals = 4;
    uint256 public immutable totalSupply;

    mapping(address owner => uint256 units) public balanceOf;
    mapping(address owner => mapping(address spender => uint256 units)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(address holder, uint256 supply) {
        totalSupply = supply;
        balanceOf[holder] = supply;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        require(balanceOf[msg.sender] >= value);
        unchecked {
            balanceOf[msg.sender] -= value;
            balanceOf[to] += value;
        }
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        require(balanceOf[from] >= value && allowance[from][msg.sender] >= value);
        unchecked {
            balanceOf[to] += value;
            balanceOf[from] -= value;
            allowance[from][msg.sender] -= value;
        }
        emit Transfer(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }
}
