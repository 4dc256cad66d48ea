//! A statement with Athena's functions replaced by DataFusion's, by the rules.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{
        BinaryOperator, CastKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
        FunctionArguments, Statement, Value, VisitMut, VisitorMut, visit_expressions_mut,
    },
    dialect::GenericDialect,
    parser::Parser,
};

use super::rules::{AGGREGATES, NOT_OVER, rule};

/// Rewrites every expression of a statement, the innermost first; an error says what cannot be said here.
pub(super) fn rewrite(statement: &mut Statement) -> Result<(), String> {
    match visit_expressions_mut(statement, |expression| match rewritten(expression) {
        Ok(Some(new)) => {
            *expression = new;
            ControlFlow::Continue(())
        }
        Ok(None) => ControlFlow::Continue(()),
        Err(words) => ControlFlow::Break(words),
    }) {
        ControlFlow::Break(words) => Err(words),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn rewritten(expression: &mut Expr) -> Result<Option<Expr>, String> {
    match expression {
        // DataFusion's week begins on Sunday with 0.
        Expr::Extract { field: DateTimeField::Dow | DateTimeField::DayOfWeek, expr, .. } => {
            filled("CAST(date_part('isodow', $1) AS BIGINT)", &[(**expr).clone()]).map(Some)
        }
        Expr::Function(function) => call(function),
        _ => Ok(None),
    }
}

fn call(function: &mut Function) -> Result<Option<Expr>, String> {
    let name = function.name.to_string().to_lowercase();
    if name == "listagg" {
        return listagg(function);
    }
    let Some(arguments) = arguments(function) else { return Ok(None) };
    if name == "try" {
        return match arguments.as_slice() {
            [argument] => Ok(Some(forgiving(argument.clone()))),
            _ => Err("try takes one expression".to_owned()),
        };
    }
    let Some(text) = rule(&name, &arguments)? else { return Ok(None) };
    if NOT_OVER.contains(&name.as_str()) && function.over.is_some() {
        return Err(format!("{name} works on groups here, not OVER a window: group in a subquery and join"));
    }
    let mut new = filled(&text, &arguments)?;
    hand_over(&mut new, function);
    Ok(Some(new))
}

/// The plain arguments of a call; none where it has others.
fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    if !list.clauses.is_empty() || list.duplicate_treatment.is_some() {
        return None;
    }
    let plain = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
        _ => None,
    };
    list.args.iter().map(plain).collect()
}

/// A rule's text as an expression, with the arguments in their places.
fn filled(text: &str, arguments: &[Expr]) -> Result<Expr, String> {
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(text).and_then(|mut parser| parser.parse_expr());
    let mut expression = parsed.map_err(|error| format!("{text}: {error}"))?;
    let _: ControlFlow<()> = visit_expressions_mut(&mut expression, |part| {
        if let Expr::Value(value) = part
            && let Value::Placeholder(place) = &value.value
            && let Some(argument) = place[1..].parse::<usize>().ok().and_then(|at| arguments.get(at.checked_sub(1)?))
        {
            *part = Expr::Nested(Box::new(argument.clone()));
        }
        ControlFlow::Continue(())
    });
    Ok(expression)
}

/// Gives the aggregate of a rule what the call said with FILTER and OVER.
fn hand_over(expression: &mut Expr, from: &mut Function) {
    let (filter, over) = (from.filter.take(), from.over.take());
    if filter.is_none() && over.is_none() {
        return;
    }
    let _: ControlFlow<()> = visit_expressions_mut(expression, |part| {
        if let Expr::Function(function) = part
            && AGGREGATES.contains(&function.name.to_string().as_str())
        {
            function.filter = match (function.filter.take(), filter.clone()) {
                (Some(one), Some(other)) => Some(Box::new(Expr::BinaryOp {
                    left: Box::new(Expr::Nested(one)),
                    op: BinaryOperator::And,
                    right: Box::new(Expr::Nested(other)),
                })),
                (one, other) => one.or(other),
            };
            function.over.clone_from(&over);
        }
        ControlFlow::Continue(())
    });
}

/// `listagg(x, s) WITHIN GROUP (ORDER BY y)` is `string_agg(x, s ORDER BY y)`.
fn listagg(function: &mut Function) -> Result<Option<Expr>, String> {
    let mut new = function.clone();
    let FunctionArguments::List(list) = &mut new.args else { return Ok(None) };
    let order = std::mem::take(&mut new.within_group);
    if !order.is_empty() {
        list.clauses = vec![FunctionArgumentClause::OrderBy(order)];
    }
    if let Ok(Expr::Function(named)) = filled("string_agg(1)", &[]) {
        new.name = named.name;
    }
    Ok(Some(Expr::Function(new)))
}

/// An expression whose casts and divisions give null where they would fail.
fn forgiving(mut expression: Expr) -> Expr {
    struct Forgiving;
    impl VisitorMut for Forgiving {
        type Break = ();

        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            match expression {
                Expr::Cast { kind, .. } => *kind = CastKind::TryCast,
                Expr::BinaryOp { op: BinaryOperator::Divide | BinaryOperator::Modulo, right, .. } => {
                    if let Ok(safe) = filled("nullif($1, 0)", &[(**right).clone()]) {
                        **right = safe;
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let _ = expression.visit(&mut Forgiving);
    Expr::Nested(Box::new(expression))
}
