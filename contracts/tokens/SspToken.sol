// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Test token with SSP's 4 decimals and the ways to pay by signature: EIP-2612 and EIP-3009
/// @dev For development chains and tests. The whole supply is made once, in the constructor; nobody can mint later.
contract SspToken {
    string public constant name = "SSP Test Token";
    string public constant symbol = "SSP";
    string public constant version = "1";
    uint8 public constant decimals = 4;

    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    uint256 public immutable totalSupply;
    uint256 private immutable _deployedChainId;
    bytes32 private immutable _deployedSeparator;

    mapping(address owner => uint256 units) public balanceOf;
    mapping(address owner => mapping(address spender => uint256 units)) public allowance;
    mapping(address owner => uint256 count) public nonces;
    /// @notice True once an authorisation with this nonce was used or cancelled.
    mapping(address authorizer => mapping(bytes32 nonce => bool used)) public authorizationState;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    error BalanceTooLow(uint256 balance, uint256 needed);
    error AllowanceTooLow(uint256 allowance, uint256 needed);
    error NotValidYet(uint256 validAfter, uint256 time);
    error Expired(uint256 validBefore, uint256 time);
    error AuthorizationIsUsed(address authorizer, bytes32 nonce);
    error WrongSigner(address expected, address got);
    error CallerIsNotReceiver(address receiver, address caller);

    constructor(address holder, uint256 supply) {
        totalSupply = supply;
        balanceOf[holder] = supply;
        emit Transfer(address(0), holder, supply);
        _deployedChainId = block.chainid;
        _deployedSeparator = _computeSeparator();
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < value) revert AllowanceTooLow(allowed, value);
            allowance[from][msg.sender] = allowed - value;
        }
        _transfer(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    /// @dev EIP-2612.
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert Expired(deadline, block.timestamp);
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        _requireSigner(owner, structHash, v, r, s);
        _approve(owner, spender, value);
    }

    /// @dev EIP-3009.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _useAuthorization(from, validAfter, validBefore, nonce);
        _requireSigner(from, _hashArguments(TRANSFER_WITH_AUTHORIZATION_TYPEHASH), v, r, s);
        _transfer(from, to, value);
    }

    /// @dev EIP-3009: only the receiver may call, so nobody can spend the authorisation past it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (to != msg.sender) revert CallerIsNotReceiver(to, msg.sender);
        _useAuthorization(from, validAfter, validBefore, nonce);
        _requireSigner(from, _hashArguments(RECEIVE_WITH_AUTHORIZATION_TYPEHASH), v, r, s);
        _transfer(from, to, value);
    }

    /// @dev EIP-3009.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        if (authorizationState[authorizer][nonce]) revert AuthorizationIsUsed(authorizer, nonce);
        _requireSigner(authorizer, keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)), v, r, s);
        authorizationState[authorizer][nonce] = true;
        emit AuthorizationCanceled(authorizer, nonce);
    }

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return block.chainid == _deployedChainId ? _deployedSeparator : _computeSeparator();
    }

    function _transfer(address from, address to, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert BalanceTooLow(balance, value);
        // The balances together never exceed the supply, so neither can overflow.
        unchecked {
            balanceOf[from] = balance - value;
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }

    function _approve(address owner, address spender, uint256 value) private {
        allowance[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    function _useAuthorization(address authorizer, uint256 validAfter, uint256 validBefore, bytes32 nonce) private {
        if (block.timestamp <= validAfter) revert NotValidYet(validAfter, block.timestamp);
        if (block.timestamp >= validBefore) revert Expired(validBefore, block.timestamp);
        if (authorizationState[authorizer][nonce]) revert AuthorizationIsUsed(authorizer, nonce);
        authorizationState[authorizer][nonce] = true;
        emit AuthorizationUsed(authorizer, nonce);
    }

    function _requireSigner(address expected, bytes32 structHash, uint8 v, bytes32 r, bytes32 s) private view {
        bytes32 separator = DOMAIN_SEPARATOR();
        bytes32 digest;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 0x02), separator)
            mstore(add(free, 0x22), structHash)
            digest := keccak256(free, 0x42)
        }
        address signedBy = ecrecover(digest, v, r, s);
        if (signedBy == address(0) || signedBy != expected) revert WrongSigner(expected, signedBy);
    }

    /// @dev EIP-3009's functions take the six fields of their struct first and in its order, checked when decoded.
    function _hashArguments(bytes32 typeHash) private pure returns (bytes32 structHash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 0x20), 0x04, 0xc0)
            structHash := keccak256(free, 0xe0)
        }
    }

    function _computeSeparator() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                block.chainid,
                address(this)
            )
        );
    }
}
