//! What a statement can name, and how it becomes a plan.
//!
//! The session has the tables of one view of the store and the functions of [`functions`], and nothing of DataFusion's
//! own beside: no formats of files, no table functions, no factories of tables.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::context::{SQLOptions, SessionConfig};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use futures::executor::block_on;
use store::{Entries, SAMPLES, SqlError, Table};

use super::compared::mixed;
use super::deadline::Until;
use super::fault::Read;
use super::place::Tokens;
use super::samples::SamplesTable;
use super::{clauses, entries, functions, named, planner, size, statement, values};
use crate::core::{Core, View};
use crate::events::read::Tally;
use crate::query::table::EventTable;

/// Where the tables stand, for whoever writes a name in full.
const CATALOG: &str = "watchkeeper";
const SCHEMA: &str = "public";
/// Rows that operators hand on at once. Texts can be large, and joins repeat them.
const BATCH_ROWS: usize = 1024;

/// What all sessions have in common, made by the first statement.
#[derive(Default)]
pub(crate) struct Sessions(OnceLock<SessionState>);

impl Sessions {
    fn common(&self) -> SessionState {
        self.0.get_or_init(common).clone()
    }
}

fn common() -> SessionState {
    // A scan has one partition, and whoever runs a plan gives one thread at a time to it.
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.time_zone = Some("UTC".to_owned());
    // They need not end.
    options.execution.enable_recursive_ctes = false;
    SessionStateBuilder::new()
        .with_config(config)
        .with_scalar_functions(functions::scalar())
        .with_aggregate_functions(functions::aggregate())
        .with_window_functions(functions::window())
        .with_expr_planners(planner::expressions())
        .with_type_planner(Arc::new(planner::Types))
        .build()
}

/// A session whose plans may take as long as they like to make.
#[cfg(test)]
pub(crate) fn anytime(core: &Arc<Core>, sessions: &Sessions, environment: Arc<RuntimeEnv>) -> SessionState {
    let until =
        Until { deadline: None, cancel: store::Cancel::never(), timed_out: "it took too long".to_owned() };
    of_view(core, sessions, environment, &Arc::default(), &Arc::new(until))
}

/// A session in which every table is one of DataFusion, all of one view of the store, and which makes plans until its
/// time is over.
pub(super) fn of_view(
    core: &Arc<Core>,
    sessions: &Sessions,
    environment: Arc<RuntimeEnv>,
    tally: &Arc<Tally>,
    until: &Arc<Until>,
) -> SessionState {
    let tables = Tables { core: Arc::clone(core), view: core.view(), tally: Arc::clone(tally) };
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(tables)).expect("schemas can be added to a catalog in memory");
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    let common = sessions.common();
    let analyzers = common.analyzer().rules.iter().map(|rule| until.over_analysis(rule)).collect();
    let rules = common.optimizers().iter().map(|rule| until.over(rule)).collect();
    let physical = common.physical_optimizers().iter().map(|rule| until.over_physical(rule)).collect();
    let mut state = SessionStateBuilder::new_from_existing(common)
        .with_analyzer_rules(analyzers)
        .with_optimizer_rules(rules)
        .with_physical_optimizer_rules(physical)
        .with_catalog_list(Arc::new(catalogs))
        .with_runtime_env(environment)
        .build();
    state.mark_start_execution();
    state
}

/// The tables of one view of the store.
struct Tables {
    core: Arc<Core>,
    view: View,
    tally: Arc<Tally>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tables")
    }
}

/// The names of all tables.
pub(super) fn table_names() -> impl Iterator<Item = &'static str> {
    Table::ALL.iter().map(|table| table.name()).chain([SAMPLES])
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        table_names().map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let (core, view, tally) = (Arc::clone(&self.core), self.view.clone(), Arc::clone(&self.tally));
        if name == SAMPLES {
            return Ok(Some(Arc::new(SamplesTable { core, tally })));
        }
        let (entries, values) = (Entries::all(), Vec::new());
        let table = |table| {
            Arc::new(EventTable { core, view, table, entries, values, tally }) as Arc<dyn TableProvider>
        };
        Ok(Table::from_name(name).map(table))
    }

    fn table_exist(&self, name: &str) -> bool {
        table_names().any(|known| known == name)
    }
}

/// What is to be planned.
pub(super) struct Wanted<'a> {
    pub(super) state: SessionState,
    pub(super) statement: &'a str,
    /// The most rows that matter; one more is asked for, so that it is known whether there are more.
    pub(super) most_rows: usize,
    pub(super) until: &'a Until,
}

/// A plan, and what its faults are told with.
pub(super) struct Planned {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) read: Read,
}

/// The plan of a statement that only reads. Needs a large stack.
pub(super) fn plan(wanted: &Wanted<'_>) -> Result<Planned, SqlError> {
    let Wanted { state, statement, most_rows, until } = wanted;
    let read = Read { tokens: Tokens::from(statement::tokens(statement)?), mixed: Vec::new() };
    let logical = logical(wanted, &read)?;
    until.check().map_err(SqlError::Query)?;
    let read = Read { mixed: mixed(&logical), ..read };
    let fault = |error: DataFusionError| read.error(&error, state);
    let logical = limited(logical, most_rows.saturating_add(1)).map_err(fault)?;
    size::check(&logical)?;
    let logical = state.optimize(&logical).map_err(fault)?;
    statement::check_plan(&logical, &read.tokens)?;
    let logical = entries::narrowed(logical).and_then(values::in_columns).map_err(fault)?;
    // Where a plan is explained, an error of a rule is a part of what is told.
    until.check().map_err(SqlError::Query)?;
    let plan = block_on(state.query_planner().create_physical_plan(&logical, state)).map_err(fault)?;
    until.check().map_err(SqlError::Query)?;
    Ok(Planned { plan, read })
}

/// What a statement asks for, if it only reads.
fn logical(wanted: &Wanted<'_>, read: &Read) -> Result<LogicalPlan, SqlError> {
    let Wanted { state, statement, .. } = wanted;
    let fault = |error: DataFusionError| read.error(&error, state);
    let dialect = state.config().options().sql_parser.dialect;
    let mut parsed = state.sql_to_statement(statement, &dialect).map_err(fault)?;
    statement::check(&parsed)?;
    clauses::check(&parsed, &read.tokens)?;
    named::name_derived_tables(&mut parsed);
    // Nothing waits in it: tables are at hand.
    let logical = block_on(state.statement_to_plan(parsed)).map_err(fault)?;
    let only_queries =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    only_queries.verify_plan(&logical).map_err(|_| statement::only_reads())?;
    named::plainly(logical).map_err(fault)
}

/// The plan with no more rows than these. What explains or describes stays what it is: its rows are few.
fn limited(plan: LogicalPlan, rows: usize) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_) => Ok(plan),
        plan => LogicalPlanBuilder::from(plan).limit(0, Some(rows))?.build(),
    }
}
