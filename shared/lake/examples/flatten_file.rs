fn main() {
    use metriccare_lake::bronze::*;
    struct M;
    impl Sinks for M {
        type File = Vec<u8>;
        fn create(&mut self) -> std::io::Result<Vec<u8>> {
            Ok(vec![])
        }
    }
    let a: Vec<String> = std::env::args().collect();
    let t: usize = a[2].parse().unwrap();
    for _ in 0..4 {
        let s = std::time::Instant::now();
        let src = Source {
            key: "encounter/2025/12/31/x.ndjson".into(),
            object_id: "ab".into(),
            etag: "e".into(),
            landed_micros: 1,
        };
        let f = flatten(
            &src,
            || Ok(Box::new(std::fs::File::open(&a[1])?)),
            &mut M,
            t.try_into().unwrap(),
            Limits::default(),
        )
        .unwrap();
        let out: usize = f.files.iter().map(|f| f.1.len()).sum();
        println!("{:?} {} records {} MB out", s.elapsed(), f.counts.records, out / 1000000);
    }
}
