//! The engines that run plugins. One has memories, tables and stacks for the calls of small plugins at hand, so that an
//! instance of its own for each call costs no mapping of memory; the other takes from the operating system what a larger
//! plugin needs, and gives it back.

use crate::bindings;
use crate::call::Call;
use crate::limits::Limits;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

const WASM_STACK_BYTES: usize = 512 << 10;
/// Host calls run on the plugin's stack, above what WebAssembly may use of it; a database driver needs room.
const ASYNC_STACK_BYTES: usize = 4 << 20;
/// Core instances, tables and memories of a component that is small: one of Rust has half a dozen, two and one.
const CORE_INSTANCES: u32 = 16;
const TABLES: u32 = 8;
const MEMORIES: u32 = 1;
/// What a call dirtied up to here is written over and stays mapped for the next one; the rest is given back.
const RESIDENT_BYTES: usize = 64 << 10;

/// An engine, and what it offers to components.
pub(crate) struct Machine {
    pub engine: Engine,
    pub linker: Linker<Call>,
}

impl Machine {
    /// For components of any size.
    pub(crate) fn roomy() -> wasmtime::Result<Self> {
        Self::new(&config())
    }

    /// For so many calls of small components at the same time. It reserves addresses, about 6 GiB a call, and no memory.
    ///
    /// # Errors
    /// Where a process may not reserve as much.
    pub(crate) fn ready(limits: &Limits, calls: u32) -> wasmtime::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(calls);
        pool.total_core_instances(calls * CORE_INSTANCES).max_core_instances_per_component(CORE_INSTANCES);
        pool.total_tables(calls * TABLES).max_tables_per_component(TABLES).max_tables_per_module(TABLES);
        pool.total_memories(calls * MEMORIES).max_memories_per_component(MEMORIES);
        // One is in use while another is being given back.
        pool.total_stacks(calls * 2);
        pool.max_memory_size(limits.memory_bytes).table_elements(limits.table_elements);
        pool.linear_memory_keep_resident(RESIDENT_BYTES).table_keep_resident(RESIDENT_BYTES);
        // Where the kernel says which pages were written, no others are looked at.
        pool.pagemap_scan(Enabled::Auto);
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Self::new(&config)
    }

    fn new(config: &Config) -> wasmtime::Result<Self> {
        let engine = Engine::new(config)?;
        let mut linker = Linker::new(&engine);
        bindings::v0_1::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |call: &mut Call| call)?;
        bindings::v0_2::FullPlugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |call: &mut Call| call)?;
        Ok(Self { engine, linker })
    }
}

/// What is compiled for the one machine runs on the other.
fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.consume_fuel(true);
    config.max_wasm_stack(WASM_STACK_BYTES);
    config.async_stack_size(ASYNC_STACK_BYTES);
    // Guests are stripped: a backtrace would name nothing, and collecting it costs each trap.
    config.wasm_backtrace_max_frames(None);
    config
}
