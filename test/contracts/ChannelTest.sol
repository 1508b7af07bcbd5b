// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {Vm} from "./Vm.sol";

/// @title A guest, an owner and a router with a channel between them
/// @dev What is tested is the committed artifact, byte for byte; `contracts/compile.ts --check` ties it to its sources.
abstract contract ChannelTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant PAYER_KEY = 0xA1;
    uint256 internal constant SIGNER_KEY = 0xA2;
    uint256 internal constant PAYEE_KEY = 0xA3;
    uint256 internal constant DEVICE_KEY = 0xA4;
    uint256 internal constant STRANGER_KEY = 0xA5;
    /// @dev Year 2026: so that "now" is like now.
    uint256 internal constant START = 1_790_000_000;
    uint256 internal constant SUPPLY = 100_000_000_000_000;
    uint256 internal constant FEE_BASIS_POINTS = 1_000;
    address internal constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    address internal payer = vm.addr(PAYER_KEY);
    address internal signer = vm.addr(SIGNER_KEY);
    address internal payee = vm.addr(PAYEE_KEY);
    address internal device = vm.addr(DEVICE_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);

    SspToken internal token;
    IShareChannels internal channels;

    function setUp() public virtual {
        vm.warp(START);
        token = SspToken(deployArtifact("SspToken", abi.encode(payer, SUPPLY)));
        channels = deployChannels(address(token));
        vm.prank(payer);
        token.approve(address(channels), type(uint256).max);
    }

    function deployChannels(address forToken) internal returns (IShareChannels) {
        return IShareChannels(deployArtifact("ShareChannels", abi.encode(forToken, FEE_BASIS_POINTS)));
    }

    function deployArtifact(string memory name, bytes memory arguments) internal returns (address deployed) {
        string memory artifact = vm.readFile(string.concat("contracts/artifacts/", name, ".json"));
        bytes memory creation = bytes.concat(vm.parseJsonBytes(artifact, ".bytecode"), arguments);
        assembly {
            deployed := create(0, add(creation, 0x20), mload(creation))
            if iszero(deployed) {
                // The constructor's own error.
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function newConfig(uint256 salt) internal view returns (IShareChannels.ChannelConfig memory) {
        return IShareChannels.ChannelConfig({
            payer: payer,
            signer: signer,
            payee: payee,
            device: device,
            expiry: uint40(START + 7 days),
            exitDelay: 1 hours,
            salt: bytes32(salt)
        });
    }

    function open(uint256 salt, uint64 deposit) internal returns (IShareChannels.ChannelConfig memory config) {
        config = newConfig(salt);
        vm.prank(config.payer);
        channels.open(config, deposit);
    }

    /// @dev The guest has signed `ceiling`; the router asks for `amount`.
    function claimOf(IShareChannels.ChannelConfig memory config, uint64 amount, uint64 ceiling)
        internal
        view
        returns (IShareChannels.Claim memory)
    {
        return claimSignedBy(SIGNER_KEY, config, amount, ceiling);
    }

    function claimSignedBy(uint256 key, IShareChannels.ChannelConfig memory config, uint64 amount, uint64 ceiling)
        internal
        view
        returns (IShareChannels.Claim memory)
    {
        uint64 ackBytes = ceiling / 2;
        bytes32 digest = typed(
            keccak256(
                abi.encode(
                    keccak256("Voucher(bytes32 channelId,uint64 amount,uint64 ackBytes)"),
                    idOf(config),
                    ceiling,
                    ackBytes
                )
            )
        );
        return IShareChannels.Claim(config, amount, ceiling, ackBytes, signed(key, digest));
    }

    function one(IShareChannels.Claim memory item) internal pure returns (IShareChannels.Claim[] memory claims) {
        claims = new IShareChannels.Claim[](1);
        claims[0] = item;
    }

    function closeSignature(uint256 key, IShareChannels.ChannelConfig memory config, uint64 amount)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 typeHash = keccak256("Close(bytes32 channelId,uint64 amount)");
        return signed(key, typed(keccak256(abi.encode(typeHash, idOf(config), amount))));
    }

    function exitSignature(uint256 key, IShareChannels.ChannelConfig memory config, uint256 deadline)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 typeHash = keccak256("Exit(bytes32 channelId,uint256 deadline)");
        return signed(key, typed(keccak256(abi.encode(typeHash, idOf(config), deadline))));
    }

    function openSignature(uint256 key, IShareChannels.ChannelConfig memory config, uint64 deposit, uint256 deadline)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 typeHash = keccak256("Open(bytes32 channelId,uint64 amount,uint256 deadline)");
        return signed(key, typed(keccak256(abi.encode(typeHash, idOf(config), deposit, deadline))));
    }

    function permitSignature(uint256 key, uint256 value, uint256 nonce, uint256 deadline)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 structHash =
            keccak256(abi.encode(token.PERMIT_TYPEHASH(), vm.addr(key), address(channels), value, nonce, deadline));
        return signed(key, keccak256(bytes.concat(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function authorization(uint256 key, IShareChannels.ChannelConfig memory config, uint64 value, uint256 n)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 nonce = keccak256(abi.encode(idOf(config), n));
        bytes32 typeHash = token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH();
        bytes32 structHash = keccak256(
            abi.encode(typeHash, config.payer, address(channels), uint256(value), 0, type(uint256).max, nonce)
        );
        return signed(key, keccak256(bytes.concat(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function permit2Signature(uint256 key, IShareChannels.ChannelConfig memory config, uint64 value, uint256 n)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 id = idOf(config);
        bytes32 permissions = keccak256(
            abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), address(token), uint256(value))
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,ChannelDeposit witness)ChannelDeposit(bytes32 channelId)TokenPermissions(address token,uint256 amount)"
                ),
                permissions,
                address(channels),
                uint256(keccak256(abi.encode(id, n))),
                START,
                keccak256(abi.encode(keccak256("ChannelDeposit(bytes32 channelId)"), id))
            )
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                PERMIT2
            )
        );
        return signed(key, keccak256(bytes.concat(hex"1901", separator, structHash)));
    }

    function tickClaimOf(uint256 key, IShareChannels.ChannelConfig memory config, uint64 base, uint32 tickValue)
        internal
        view
        returns (IShareChannels.TickClaim memory item)
    {
        item.config = config;
        item.base = base;
        item.tickValue = tickValue;
        item.ticks = 64;
        item.preimage = keccak256("seed");
        item.anchor = item.preimage;
        item.index = 64;
        for (uint256 i = 0; i < 64; i++) {
            item.anchor = keccak256(abi.encode(item.anchor));
        }
        item.amount = base + 64 * tickValue;
        item.signature = tickVoucherSignature(key, item);
    }

    function tickVoucherSignature(uint256 key, IShareChannels.TickClaim memory item)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes32 typeHash =
            keccak256("TickVoucher(bytes32 channelId,uint64 amount,bytes32 anchor,uint32 tickValue,uint32 ticks)");
        bytes32 id = idOf(item.config);
        bytes32 structHash = keccak256(abi.encode(typeHash, id, item.base, item.anchor, item.tickValue, item.ticks));
        return signed(key, typed(structHash));
    }

    function batchSignature(uint256 key, IShareChannels.Claim[] memory claims)
        internal
        view
        returns (IShareChannels.Signature memory)
    {
        bytes memory words;
        for (uint256 i = 0; i < claims.length; i++) {
            words = bytes.concat(words, idOf(claims[i].config), bytes32(uint256(claims[i].amount)));
        }
        return signed(key, typed(keccak256(abi.encode(keccak256("ClaimBatch(bytes32 root)"), keccak256(words)))));
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (IShareChannels.Signature memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, digest);
        return IShareChannels.Signature(r, vs);
    }

    function noSignature() internal pure returns (IShareChannels.Signature memory) {
        return IShareChannels.Signature(0, 0);
    }

    function typed(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("SSP ShareChannels"),
                keccak256("1"),
                block.chainid,
                address(channels)
            )
        );
        return keccak256(bytes.concat(hex"1901", separator, structHash));
    }

    /// @dev Made here and not asked for: a call would use up a prank.
    function idOf(IShareChannels.ChannelConfig memory config) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "ChannelConfig(address payer,address signer,address payee,address device,uint40 expiry,uint40 exitDelay,bytes32 salt)"
        );
        return typed(keccak256(abi.encode(typeHash, config)));
    }

    function stateOf(IShareChannels.ChannelConfig memory config) internal view returns (IShareChannels.Channel memory) {
        return channels.channels(idOf(config));
    }

    function refuses(bytes4 selector, uint256 first, uint256 second) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first, second));
    }

    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        return min + value % (max - min + 1);
    }
}
