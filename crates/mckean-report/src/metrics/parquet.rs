//! Metrics as Parquet: the columnar copy that pandas, Polars, R and DuckDB read.
//!
//! Maths: none.
//! Shapes: one row group; one nullable INT64 or DOUBLE column per key. A missing value is null; NaN stays NaN.
//! Cost: linear; the table is held in memory.
//! Checked: `tests/metrics.rs` (round trip through [`read_parquet`]); read once by hand with pyarrow and pandas.

use super::table::{Column, Kind, Table, read};
use crate::error::{ReportError, Result};
use crate::run_dir::atomic_write;
use parquet::basic::{Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Writes the observations of `path_jsonl` to `path_parquet`, in one step, and returns them.
///
/// # Errors
/// The log cannot be read, or the Parquet file not be written.
pub fn compact(path_jsonl: impl AsRef<Path>, path_parquet: impl AsRef<Path>) -> Result<Table> {
    let path = path_parquet.as_ref();
    let table = read(path_jsonl)?;
    let bytes = encode(&table).map_err(|error| bad(path, &error))?;
    atomic_write(path, &bytes)?;
    Ok(table)
}

/// Reads a file written by [`compact`].
///
/// # Errors
/// The file cannot be read, or has columns other than INT64 and DOUBLE.
pub fn read_parquet(path: impl AsRef<Path>) -> Result<Table> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| ReportError::io("read", path, source))?;
    decode(file).map_err(|error| bad(path, &error))
}

fn bad(path: &Path, error: &ParquetError) -> ReportError {
    ReportError::BadParquet { path: path.to_path_buf(), reason: error.to_string() }
}

fn encode(table: &Table) -> ParquetResult<Vec<u8>> {
    let properties = Arc::new(WriterProperties::builder().build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema(table)?, properties)?;
    let mut group = writer.next_row_group()?;
    for column in &table.columns {
        let mut sink = group.next_column()?.ok_or_else(|| ParquetError::General("column lost".into()))?;
        write_column(&mut sink, column)?;
        sink.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

fn schema(table: &Table) -> ParquetResult<TypePtr> {
    let field = |column: &Column| {
        let physical = if column.kind == Kind::Int { Physical::INT64 } else { Physical::DOUBLE };
        let builder = Type::primitive_type_builder(&column.name, physical);
        builder.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    };
    let fields = table.columns.iter().map(field).collect::<ParquetResult<Vec<_>>>()?;
    Type::group_type_builder("metrics").with_fields(fields).build().map(Arc::new)
}

fn write_column(sink: &mut SerializedColumnWriter, column: &Column) -> ParquetResult<usize> {
    let levels: Vec<i16> = column.present.iter().map(|&there| i16::from(there)).collect();
    let there = column.values.iter().zip(&column.present).filter(|pair| *pair.1).map(|pair| *pair.0);
    if column.kind == Kind::Int {
        let counts: Vec<i64> = there.map(|x| x as i64).collect();
        sink.typed::<Int64Type>().write_batch(&counts, Some(&levels), None)
    } else {
        let measures: Vec<f64> = there.collect();
        sink.typed::<DoubleType>().write_batch(&measures, Some(&levels), None)
    }
}

fn decode(file: File) -> ParquetResult<Table> {
    let reader = SerializedFileReader::new(file)?;
    let mut table = Table::default();
    for i in 0..reader.num_row_groups() {
        let group = reader.get_row_group(i)?;
        table.rows += usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        for j in 0..group.num_columns() {
            append_column(&mut table, &*group, j)?;
        }
    }
    Ok(table)
}

fn append_column(table: &mut Table, group: &dyn RowGroupReader, j: usize) -> ParquetResult<()> {
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    let (kind, values) = match group.get_column_reader(j)? {
        ColumnReader::Int64ColumnReader(source) => (Kind::Int, drain(source, rows, |n| n as f64)?),
        ColumnReader::DoubleColumnReader(source) => (Kind::Float, drain(source, rows, |x| x)?),
        _ => {
            return Err(ParquetError::General(format!("column {j} is neither INT64 nor DOUBLE")));
        }
    };
    if table.columns.len() <= j {
        let name = group.metadata().column(j).column_descr().name().to_string();
        table.columns.push(Column { name, kind, values: Vec::new(), present: Vec::new() });
    }
    let column = &mut table.columns[j];
    column.values.extend(values.iter().map(|value| value.unwrap_or(f64::NAN)));
    column.present.extend(values.iter().map(Option::is_some));
    Ok(())
}

/// All values of one column chunk; `None` for null.
fn drain<T: DataType>(
    mut source: ColumnReaderImpl<T>,
    rows: usize,
    number: impl Fn(T::T) -> f64,
) -> ParquetResult<Vec<Option<f64>>> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    while levels.len() < rows {
        let (read, ..) = source.read_records(rows - levels.len(), Some(&mut levels), None, &mut values)?;
        if read == 0 {
            return Err(ParquetError::EOF("a column is shorter than its row group".into()));
        }
    }
    let mut values = values.into_iter().map(number);
    Ok(levels.iter().map(|&level| if level == 1 { values.next() } else { None }).collect())
}
