"""The usual stack: Hugging Face `Trainer` and `peft` p-tuning, set up as in the released code of arXiv 2508.10352."""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import PromptEncoderConfig, get_peft_model
from transformers import (
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    XLMRobertaForSequenceClassification,
)
from transformers.utils import logging

from benchmarks.workload import BATCH, LABELS, LONGEST, VECTORS
from xlt_bench.task import Labelled


class UsualStack:
    """One seed at a time, as Trainer does it: mixed precision under autocast, batches of sentences of like length."""

    def __init__(self, folder: Path, bf16: bool) -> None:
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._folder, self._bf16 = folder, bf16
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._trained: Trainer | None = None

    def train(self, train: Labelled, dev: Labelled, epochs: int, seed: int) -> float:
        """Seconds of `Trainer.train`, dev evaluation every epoch included, loading and tokenising not."""
        trainer = Trainer(
            model=self._model(),
            args=self._arguments(epochs, seed),
            train_dataset=self._rows(train),
            eval_dataset=self._rows(dev),
            data_collator=DataCollatorWithPadding(self._tokenizer),
        )
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        self._trained = trainer
        return time.perf_counter() - started

    def predict(self, items: Labelled) -> float:
        """Seconds of `Trainer.predict` with what was trained last, tokenising not included."""
        assert self._trained is not None, "train first"
        rows = self._rows(items)
        started = time.perf_counter()
        self._trained.predict(rows)  # type: ignore[arg-type]  # a list of rows will do
        return time.perf_counter() - started

    def _arguments(self, epochs: int, seed: int) -> TrainingArguments:
        return TrainingArguments(
            output_dir=tempfile.gettempdir(),
            num_train_epochs=epochs,
            per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=BATCH,
            optim="adafactor",
            learning_rate=5e-5,
            lr_scheduler_type="cosine_with_restarts",
            lr_scheduler_kwargs={"num_cycles": 2},
            warmup_steps=0.1,
            max_grad_norm=1.0,
            train_sampling_strategy="group_by_length",
            eval_strategy="epoch",
            save_strategy="no",
            bf16=self._bf16,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            disable_tqdm=True,
            report_to="none",
            seed=seed,
        )

    def _model(self) -> Any:
        config = PromptEncoderConfig(
            task_type="SEQ_CLS",
            num_virtual_tokens=VECTORS,
            encoder_reparameterization_type="MLP",
            encoder_num_layers=2,
            encoder_hidden_size=256,
            encoder_dropout=0.1,
        )
        with warnings.catch_warnings():  # peft asks transformers for an attribute that transformers has renamed
            warnings.simplefilter("ignore", FutureWarning)
            base = XLMRobertaForSequenceClassification.from_pretrained(
                self._folder, num_labels=len(LABELS), dtype=torch.float32
            )
            return get_peft_model(base, config)

    def _rows(self, part: Labelled) -> list[dict[str, Any]]:
        texts = [example.text for example in part.examples]
        encoded = self._tokenizer(texts, truncation=True, max_length=LONGEST)
        return [
            {"input_ids": ids, "attention_mask": mask, "labels": int(gold)}
            for ids, mask, gold in zip(encoded["input_ids"], encoded["attention_mask"], part.gold, strict=True)
        ]
