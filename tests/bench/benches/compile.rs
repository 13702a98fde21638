//! The phases of the compiler on a generated mesh, each alone: reading, checking, fitting and emitting, formatting.

#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use meshc_bench::{Layout, files};
use meshc_compiler::{Input, Options, Project, check};
use meshc_language::{FileId, SourceFile, format::format};

const SIZES: [usize; 2] = [100, 1000];

fn inputs(services: usize) -> Vec<Input> {
    files(services, Layout::OneFile)
        .into_iter()
        .filter(|file| file.path.extension().is_some_and(|extension| extension == "mesh"))
        .map(|file| Input {
            module: file.path.with_extension("").to_string_lossy().replace('/', "."),
            file: SourceFile { name: file.path.to_string_lossy().into_owned(), text: file.text },
        })
        .collect()
}

fn bytes(inputs: &[Input]) -> u64 {
    inputs.iter().map(|input| input.file.text.len() as u64).sum()
}

fn phases(criterion: &mut Criterion) {
    for services in SIZES {
        let inputs = inputs(services);
        let project = Project::read(inputs.clone());
        let compilation = check(&project, None, &Options::default());
        let (_, checked) = compilation.environments.first().unwrap();
        let options = meshc_targets::Options { files: &project.files, ..meshc_targets::Options::default() };
        let (fitted, _) =
            meshc_targets::fit(meshc_targets::target("istio").unwrap(), checked.as_ref().unwrap(), &options);
        let fitted = fitted.unwrap();

        let mut group = criterion.benchmark_group("phases");
        group.sample_size(20).throughput(Throughput::Bytes(bytes(&inputs)));
        group.bench_function(BenchmarkId::new("read", services), |bencher| {
            bencher.iter_batched(|| inputs.clone(), Project::read, BatchSize::LargeInput);
        });
        group.bench_function(BenchmarkId::new("check", services), |bencher| {
            bencher.iter(|| check(&project, None, &Options::default()));
        });
        group.bench_function(BenchmarkId::new("emit", services), |bencher| {
            bencher.iter(|| fitted.emit(&options))
        });
        group.bench_function(BenchmarkId::new("format", services), |bencher| {
            bencher.iter(|| {
                inputs.iter().map(|input| format(FileId(0), &input.file.text).text.len()).sum::<usize>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, phases);
criterion_main!(benches);
